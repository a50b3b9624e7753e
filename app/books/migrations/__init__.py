"""How the tables of the books came to be: one file per change, never edited afterwards."""
