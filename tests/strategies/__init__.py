"""What hypothesis draws from: values of the domain, for the tests of every room."""
