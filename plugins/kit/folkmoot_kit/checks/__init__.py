"""The conformance kit: what a plugin must do, each as a named finding with a remedy."""
