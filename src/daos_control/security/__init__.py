"""Certificates, the components they speak for, and the credentials that agents sign."""
