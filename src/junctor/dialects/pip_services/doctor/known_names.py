"""The classes of Pip.Services, and the package that each is imported from."""

from __future__ import annotations

_PACKAGES = {
    "pip_services3_commons.commands": """ICommand ICommandInterceptor Command InterceptedCommand IEvent IEventListener
        Event CommandSet ICommandable""",
    "pip_services3_commons.config": "ConfigParams IConfigurable IReconfigurable NameResolver OptionsResolver",
    "pip_services3_commons.convert": """ArrayConverter BooleanConverter DateTimeConverter DoubleConverter FloatConverter
        IntegerConverter JsonConverter LongConverter MapConverter RecursiveMapConverter StringConverter TypeConverter
        TypeCode""",
    "pip_services3_commons.data": """AnyValue AnyValueArray AnyValueMap DataPage FilterParams IChangeable ICloneable
        IIdentifiable INamed IStringIdentifiable ITrackable IVersioned IdGenerator MultiString PagingParams
        ProjectionParams SortField SortParams StringValueMap TagsProcessor TokenizedDataPage TokenizedPagingParams""",
    "pip_services3_commons.errors": """ApplicationException ApplicationExceptionFactory BadRequestException
        ConfigException ConflictException ConnectionException ErrorCategory ErrorDescription ErrorDescriptionFactory
        FileException InternalException InvalidStateException InvocationException NotFoundException
        UnauthorizedException UnknownException UnsupportedException""",
    "pip_services3_commons.random": """RandomArray RandomBoolean RandomDateTime RandomDouble RandomFloat RandomInteger
        RandomString RandomText""",
    "pip_services3_commons.refer": """DependencyResolver Descriptor IReferenceable IReferences IUnreferenceable
        Reference ReferenceException Referencer References""",
    "pip_services3_commons.reflect": """MethodReflector ObjectReader ObjectWriter PropertyReflector
        RecursiveObjectReader RecursiveObjectWriter TypeDescriptor TypeMatcher TypeReflector""",
    "pip_services3_commons.run": """Cleaner Closer Executor FixedRateTimer ICleanable IClosable IExecutable INotifiable
        IOpenable IParameterized Notifier Opener Parameters""",
    "pip_services3_commons.validate": """ArraySchema FilterParamsSchema MapSchema ObjectSchema PagingParamsSchema
        PropertySchema Schema ValidationException ValidationResult ValidationResultType""",
    "pip_services3_components.auth": """CredentialParams CredentialResolver DefaultCredentialStoreFactory
        ICredentialStore MemoryCredentialStore""",
    "pip_services3_components.build": "CompositeFactory CreateException Factory IFactory",
    "pip_services3_components.cache": "DefaultCacheFactory ICache MemoryCache NullCache",
    "pip_services3_components.config": """IConfigReader JsonConfigReader MemoryConfigReader YamlConfigReader""",
    "pip_services3_components.connect": """CompositeConnectionResolver ConnectionParams ConnectionResolver
        ConnectionUtils DefaultDiscoveryFactory IDiscovery MemoryDiscovery""",
    "pip_services3_components.count": """CachedCounters CompositeCounters Counter CounterTiming CounterType ICounters
        LogCounters NullCounters""",
    "pip_services3_components.info": "ContextInfo DefaultInfoFactory",
    "pip_services3_components.lock": "ILock Lock MemoryLock NullLock",
    "pip_services3_components.log": """CachedLogger CompositeLogger ConsoleLogger ILogger LogLevel LogLevelConverter
        Logger NullLogger""",
    "pip_services3_components.trace": "CompositeTracer ITracer LogTracer NullTracer TraceTiming",
    "pip_services3_container": "Container ProcessContainer",
    "pip_services3_container.build": "DefaultContainerFactory",
    "pip_services3_data": """IFilteredPageReader IFilteredReader IGetter ILoader IPartialUpdater IQuerablePageReader
        IQuerableReader ISaver ISetter IWriter""",
    "pip_services3_data.persistence": """FilePersistence IdentifiableFilePersistence IdentifiableMemoryPersistence
        JsonFilePersister MemoryPersistence""",
    "pip_services3_rpc.auth": "BasicAuthorizer OwnerAuthorizer RoleAuthorizer",
    "pip_services3_rpc.build": "DefaultRpcFactory",
    "pip_services3_rpc.clients": "CommandableHttpClient DirectClient RestClient",
    "pip_services3_rpc.services": """AboutOperations CommandableHttpService HeartBeatOperations HeartbeatRestService
        HttpEndpoint HttpResponseSender IRegisterable RestOperations RestService StatusOperations StatusRestService""",
    "pip_services3_swagger.build": "DefaultSwaggerFactory",
}

MODULES = {name: package for package, names in _PACKAGES.items() for name in names.split()}
"""Class to package."""
