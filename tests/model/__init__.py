"""An exhaustive model of the delivery protocol. See tests/model/__main__.py."""
