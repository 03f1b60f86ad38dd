"""Who acts: protocols, clinicians, planners and learners."""
