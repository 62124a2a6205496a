"""How strong the tests are: what a requirement means on given rows, fixtures that tell queries apart, and mutants."""
