"""Requests and answers of the enrollment service, as its OpenAPI document shows them."""
