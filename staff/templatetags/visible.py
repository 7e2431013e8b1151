from django import template

from staff.visible import visible

register = template.Library()
register.filter("visible", visible)
