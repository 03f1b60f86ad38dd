"""How strategies of fusion compare, against ceilings that are known."""
