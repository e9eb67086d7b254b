"""Who is about to leave, what each is worth, and how far either can be believed."""
