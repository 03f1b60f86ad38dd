"""The kernel as it was before rows were parted into hot and cold: what the present one is held against, bit by bit.

Frozen: nothing here is mended, tidied or made quicker. It shares with the present one what neither touches (tables of patients,
orders and worth, the observation's layout, settings, cases) and how a kernel is compiled.
"""
