"""What is kept and how it is found: the only room that speaks SQL."""
