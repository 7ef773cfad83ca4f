"""The SQL of the migrations, here so that it is installed with the package."""
