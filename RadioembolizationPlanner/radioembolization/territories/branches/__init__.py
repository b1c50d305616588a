"""Which branch supplies which part of the liver."""
