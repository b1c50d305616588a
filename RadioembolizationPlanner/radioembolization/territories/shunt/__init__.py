"""Lung shunt: entered, from planar images, from SPECT/CT."""
