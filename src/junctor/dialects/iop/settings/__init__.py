"""Settings of components: declared ones, those that the attributes of a class are, and how a production gives them."""

from junctor.dialects.iop.settings import controls
from junctor.dialects.iop.settings.category import Category
from junctor.dialects.iop.settings.declaration import Setting, setting
from junctor.dialects.iop.settings.generated import GeneratedSetting, generated_settings
from junctor.dialects.iop.settings.reading import applied, read
from junctor.dialects.iop.settings.target import TargetSetting, TargetSettingRef, target

__all__ = (
    "Category",
    "GeneratedSetting",
    "Setting",
    "TargetSetting",
    "TargetSettingRef",
    "applied",
    "controls",
    "generated_settings",
    "read",
    "setting",
    "target",
)
