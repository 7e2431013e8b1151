from compat.contract import Schema


class RootHealth(Schema):
    status: str
    database: str
