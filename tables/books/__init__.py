"""What a record says, as rows of the books' tables: pure functions, a file per kind of thing."""
