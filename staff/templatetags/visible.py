from django import template

from staff.fields import ago
from staff.visible import visible

register = template.Library()
register.filter("visible", visible)
register.filter("ago", ago)
