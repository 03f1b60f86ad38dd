"""Writing scenarios without programming: answers to an interview, and the files made of them."""
