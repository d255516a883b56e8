"""Generated text, read by `translator.data.loader`; a package only so that the files are installed with the code."""
