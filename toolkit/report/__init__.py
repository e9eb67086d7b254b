"""What people see: words, pictures, tables, pages, runs."""
