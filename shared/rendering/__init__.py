"""Documents and reports: typst templates and the pure models they are fed with."""
