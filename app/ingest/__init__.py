"""Drop folders: files that other systems leave become raw records of a source."""
