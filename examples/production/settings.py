"""The production: `iop --migrate settings.py`, then `iop --start Shipping.Production`."""

import carriers
import desk
import quotes
from iop import Production

production = Production("Shipping.Production", description="What does a parcel cost?", testing_enabled=True)
production.service("Desk", desk.Desk)
production.process("Quotes.asyncio", quotes.AsyncioQuotes, pool_size=4)
production.process("Quotes.callbacks", quotes.CallbackQuotes)
production.process("Quotes.multi", quotes.MultiQuotes, pool_size=4)
for title, base, per_kilogram in (("Snail", 2.9, 0.8), ("Courier", 4.5, 0.5), ("Rocket", 19.0, 0.1)):
    tariff = {"title": title, "base": base, "per_kilogram": per_kilogram}
    production.operation(title, carriers.Carrier, settings=tariff)

PRODUCTIONS = [production]
