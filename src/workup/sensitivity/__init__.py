"""Which assumed or recalled figures move what is ordered first: screen all, plan the heaviest anew."""
