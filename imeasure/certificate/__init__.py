"""Certificates: claims and facts as exact rows, proofs as rational combinations, and their check without a solver."""

from imeasure.certificate.proof import Certificate, Step

__all__ = ["Certificate", "Step"]
