"""MQTT: messages from a broker and to one."""
