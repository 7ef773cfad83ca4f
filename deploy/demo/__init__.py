"""A trading day on embedded servers, from the till to the books: what `make demo` plays."""
