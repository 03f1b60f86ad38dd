"""What is true of patients: network, exact inference, patient model, world. Imports scenarios and the ground modules."""
