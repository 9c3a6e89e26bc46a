"""What the API says of itself: the OpenAPI document, the guide, and the page."""
