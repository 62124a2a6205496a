"""One gate per file, in the folder of the room at whose way out it stands, named by what is wrong."""
