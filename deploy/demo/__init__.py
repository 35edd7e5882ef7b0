"""The demonstration: the product with thirty invented cases, whose past the product itself has lived through."""
