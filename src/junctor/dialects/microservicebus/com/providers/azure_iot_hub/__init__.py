"""Azure IoT Hub over its MQTT interface: telemetry, the device twin, direct methods, cloud-to-device messages."""

from junctor.dialects.microservicebus.com.providers.azure_iot_hub.provider import AzureIotHub

__all__ = ("AzureIotHub",)
