"""Planning of hepatic radioembolization: injection sites and activities from images.

The package is a river of stages, each in its own folder: images, structures, territories, dose per
GBq, plan, report.  Research use only; not a medical device.
"""

__version__ = "0.1.0"
