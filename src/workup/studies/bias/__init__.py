"""The laboratory of data-collection bias: how journeys bias the records they leave, and which repair works."""
