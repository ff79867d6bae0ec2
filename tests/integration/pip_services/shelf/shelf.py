"""A data microservice of the usual kind: books, with a controller, commands, two persistences and a client."""

from pip_services3_commons.commands import Command, CommandSet, ICommandable
from pip_services3_commons.config import IConfigurable
from pip_services3_commons.convert import TypeCode
from pip_services3_commons.data import DataPage, FilterParams, IStringIdentifiable, PagingParams
from pip_services3_commons.refer import Descriptor, IReferenceable
from pip_services3_commons.run import Parameters
from pip_services3_commons.validate import FilterParamsSchema, ObjectSchema, PagingParamsSchema
from pip_services3_components.build.Factory import Factory
from pip_services3_container import ProcessContainer
from pip_services3_data.persistence import IdentifiableMemoryPersistence, JsonFilePersister
from pip_services3_rpc.build import DefaultRpcFactory
from pip_services3_rpc.clients import CommandableHttpClient
from pip_services3_rpc.services import CommandableHttpService
from pip_services3_swagger.build import DefaultSwaggerFactory


class Book(IStringIdentifiable):
    def __init__(self, id=None, title=None, pages=None):
        self.id = id
        self.title = title
        self.pages = pages


class BookSchema(ObjectSchema):
    def __init__(self):
        super().__init__()
        self.with_optional_property("id", TypeCode.String)
        self.with_required_property("title", TypeCode.String)
        self.with_optional_property("pages", TypeCode.Integer)


class BooksMemoryPersistence(IdentifiableMemoryPersistence):
    def __init__(self):
        super().__init__()
        self._max_page_size = 3

    def get_page_by_filter(self, correlation_id, filter, paging, sort=None, select=None):
        filter = filter or FilterParams()
        title = filter.get_as_nullable_string("title")

        def fits(book):
            return title is None or title in book.title

        return super().get_page_by_filter(correlation_id, fits, paging, sort or (lambda book: book.title), select)

    def get_one_by_title(self, correlation_id, title):
        for book in self._items:
            if book.title == title:
                return book
        return None


class BooksFilePersistence(BooksMemoryPersistence):
    def __init__(self, path=None):
        super().__init__()
        self._persister = JsonFilePersister(path)
        self._loader = self._persister
        self._saver = self._persister

    def configure(self, config):
        super().configure(config)
        self._persister.configure(config)


class BooksCommandSet(CommandSet):
    def __init__(self, controller):
        super().__init__()
        self._controller = controller
        page = ObjectSchema(True).with_optional_property("filter", FilterParamsSchema())
        page.with_optional_property("paging", PagingParamsSchema())
        one = ObjectSchema(True).with_required_property("book_id", TypeCode.String)
        whole = ObjectSchema(True).with_required_property("book", BookSchema())
        self.add_command(Command("get_books", page, self._get_books))
        self.add_command(Command("get_book_by_id", one, self._get_book))
        self.add_command(Command("create_book", whole, self._create_book))
        self.add_command(Command("delete_book_by_id", one, self._delete_book))

    def _get_books(self, correlation_id, args):
        filter = FilterParams.from_value(args.get("filter"))
        return self._controller.get_books(correlation_id, filter, PagingParams.from_value(args.get("paging")))

    def _get_book(self, correlation_id, args):
        return self._controller.get_book(correlation_id, args.get_as_string("book_id"))

    def _create_book(self, correlation_id, args):
        return self._controller.create_book(correlation_id, Book(**args.get("book")))

    def _delete_book(self, correlation_id, args):
        return self._controller.delete_book(correlation_id, args.get_as_string("book_id"))


class BooksController(IReferenceable, IConfigurable, ICommandable):
    def __init__(self):
        self._limit = 1
        self._persistence = None
        self._command_set = None

    def configure(self, config):
        self._limit = config.get_as_integer_with_default("limit", self._limit)

    def set_references(self, references):
        self._persistence = references.get_one_required(Descriptor("shelf", "persistence", "*", "*", "1.0"))

    def get_command_set(self):
        self._command_set = self._command_set or BooksCommandSet(self)
        return self._command_set

    def get_books(self, correlation_id, filter, paging) -> DataPage:
        return self._persistence.get_page_by_filter(correlation_id, filter, paging)

    def get_book(self, correlation_id, book_id):
        return self._persistence.get_one_by_id(correlation_id, book_id)

    def create_book(self, correlation_id, book):
        return self._persistence.create(correlation_id, book)

    def delete_book(self, correlation_id, book_id):
        return self._persistence.delete_by_id(correlation_id, book_id)


class BooksHttpService(CommandableHttpService):
    def __init__(self):
        super().__init__("v1/books")
        self._dependency_resolver.put("controller", Descriptor("shelf", "controller", "*", "*", "1.0"))


class BooksHttpClient(CommandableHttpClient):
    def __init__(self):
        super().__init__("v1/books")

    def get_books(self, correlation_id, filter, paging):
        return self.call_command(
            "get_books", correlation_id, Parameters.from_tuples("filter", filter, "paging", paging)
        )

    def create_book(self, correlation_id, book):
        return self.call_command("create_book", correlation_id, Parameters.from_tuples("book", book))

    def get_book(self, correlation_id, book_id):
        return self.call_command("get_book_by_id", correlation_id, Parameters.from_tuples("book_id", book_id))


class ShelfFactory(Factory):
    def __init__(self):
        super().__init__()
        self.register_as_type(Descriptor("shelf", "persistence", "memory", "*", "1.0"), BooksMemoryPersistence)
        self.register_as_type(Descriptor("shelf", "persistence", "file", "*", "1.0"), BooksFilePersistence)
        self.register_as_type(Descriptor("shelf", "controller", "default", "*", "1.0"), BooksController)
        self.register_as_type(Descriptor("shelf", "service", "commandable-http", "*", "1.0"), BooksHttpService)


class ShelfProcess(ProcessContainer):
    def __init__(self):
        super().__init__("shelf", "Books")
        self._config_path = "./config.yml"
        self._factories.add(ShelfFactory())
        self._factories.add(DefaultRpcFactory())
        self._factories.add(DefaultSwaggerFactory())


if __name__ == "__main__":
    ShelfProcess().run()
