"""What goes over the wire: generated messages (``pb``) and their conversion to model values (``convert``)."""
