"""The world: patient model, exact inference, the engine, its Gymnasium views and journey records."""
