"""DDXPlus piece by piece: its files as they are published, and the scenario that is made of them."""
