"""How HTTP is spoken: who is let in, what is asked and answered, in which form."""
