"""The business service that the Flask application calls."""

from iop import BusinessService
from messages import Offer, Shipment


class Desk(BusinessService):
    """Hands a shipment to the process of its style."""

    def on_process_input(self, message_input: Shipment) -> Offer:
        self.log_info(f"{message_input.kilograms:g} kg to {message_input.to}")
        return self.send_request_sync(f"Quotes.{message_input.style}", message_input, timeout=60)
