/**
 * What the Python of a machine runs for an extension: it needs nothing but the standard library. Messages are lines of
 * JSON, from standard input and to what was standard output; what tools print goes to standard error instead.
 */
export const pythonProgram = String.raw`
import asyncio, concurrent.futures, dataclasses, enum, importlib.util, inspect, json, os, re, sys, threading, traceback, types, typing

out = os.fdopen(os.dup(1), 'w', encoding='utf-8', buffering=1)
os.dup2(2, 1)
sys.stdout = sys.stderr
lock = threading.Lock()

def send(message):
    text = json.dumps(message, default=plain, allow_nan=False)
    with lock:
        out.write(text + '\n')
        out.flush()

def plain(value):
    if dataclasses.is_dataclass(value) and not isinstance(value, type): return dataclasses.asdict(value)
    if isinstance(value, enum.Enum): return value.value
    if isinstance(value, (set, frozenset, tuple)): return list(value)
    if isinstance(value, (bytes, bytearray)): return value.decode('utf-8', 'replace')
    if hasattr(value, 'model_dump'): return value.model_dump()
    if hasattr(value, 'isoformat'): return value.isoformat()
    return str(value)

SIMPLE = {str: 'string', int: 'integer', float: 'number', bool: 'boolean'}

def schema_of(hint):
    if hint is inspect.Parameter.empty or hint is typing.Any: return {}
    if hint is None or hint is type(None): return {'type': 'null'}
    if hint in SIMPLE: return {'type': SIMPLE[hint]}
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        words = [note for note in args[1:] if isinstance(note, str)]
        return {**schema_of(args[0]), **({'description': words[0]} if words else {})}
    if origin is typing.Literal: return {'enum': list(args)}
    if origin is typing.Union or origin is getattr(types, 'UnionType', ()):
        kinds = [schema_of(one) for one in args]
        if all(set(kind) == {'type'} and isinstance(kind['type'], str) for kind in kinds):
            return {'type': [kind['type'] for kind in kinds]}
        return {'anyOf': kinds}
    if hint in (list, set, tuple, frozenset): return {'type': 'array'}
    if origin in (list, set, frozenset) or (origin is tuple and len(args) == 2 and args[1] is Ellipsis):
        return {'type': 'array', 'items': schema_of(args[0])}
    if origin is tuple:
        return {'type': 'array', 'prefixItems': [schema_of(one) for one in args], 'minItems': len(args), 'maxItems': len(args)}
    if hint is dict: return {'type': 'object'}
    if origin is dict: return {'type': 'object', 'additionalProperties': schema_of(args[1])}
    if isinstance(origin, type) and issubclass(origin, typing.Iterable.__origin__): return {'type': 'array', 'items': schema_of(args[0]) if args else {}}
    if inspect.isclass(hint):
        if issubclass(hint, enum.Enum): return {'enum': [one.value for one in hint]}
        if hasattr(hint, 'model_json_schema'): return hint.model_json_schema()
        if typing.is_typeddict(hint):
            hints = typing.get_type_hints(hint)
            return {'type': 'object', 'properties': {key: schema_of(one) for key, one in hints.items()}, 'required': sorted(hint.__required_keys__)}
        if dataclasses.is_dataclass(hint):
            hints = typing.get_type_hints(hint)
            fields = dataclasses.fields(hint)
            needed = [f.name for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING]
            return {'type': 'object', 'properties': {f.name: schema_of(hints.get(f.name, typing.Any)) for f in fields}, 'required': needed}
        if hint.__name__ in ('datetime', 'date', 'time', 'UUID', 'Path', 'PosixPath', 'Decimal'): return {'type': 'string'}
    return {}

def value_for(hint, value):
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated: return value_for(args[0], value)
    if value is not None and (origin is typing.Union or origin is getattr(types, 'UnionType', ())):
        inner = [one for one in args if one is not type(None)]
        return value_for(inner[0], value) if len(inner) == 1 else value
    if origin is list and isinstance(value, list) and args: return [value_for(args[0], one) for one in value]
    if inspect.isclass(hint) and origin is None:
        if issubclass(hint, enum.Enum): return hint(value)
        if isinstance(value, dict) and hasattr(hint, 'model_validate'): return hint.model_validate(value)
        if isinstance(value, dict) and dataclasses.is_dataclass(hint):
            hints = typing.get_type_hints(hint)
            return hint(**{key: value_for(hints.get(key, typing.Any), one) for key, one in value.items()})
        if hint in (set, tuple): return hint(value)
        if hint is float and isinstance(value, int): return float(value)
    if origin is set and isinstance(value, list): return set(value)
    if origin is tuple and isinstance(value, list): return tuple(value)
    return value

SECTION = re.compile(r'^\s*(example prompts?|example responses?|example args?|args|arguments|parameters|params|returns?|raises|examples?|notes?)\s*:\s*(.*)$', re.I)

def read_doc(function):
    about, notes, words, section = [], [], {}, None
    for line in (inspect.getdoc(function) or '').splitlines():
        found = SECTION.match(line)
        if found:
            section = found.group(1).lower()
            if section.startswith('example'): notes.append(section.capitalize() + ': ' + found.group(2))
            continue
        if section is None: about.append(line)
        elif section.startswith('example'): notes.append(line)
        elif section in ('args', 'arguments', 'parameters', 'params'):
            one = re.match(r'^\s*\*{0,2}(\w+)\s*(?:\(([^)]*)\))?\s*[:\-]\s*(.*)$', line)
            if one: last = one.group(1); words[last] = one.group(3).strip()
            elif words and line.strip(): words[last] += ' ' + line.strip()
    text = '\n'.join(about).strip()
    examples = '\n'.join(line.rstrip() for line in notes if line.strip())
    return (text + ('\n\n' + examples if examples else '')).strip(), words

class Loaded:
    def __init__(self, function):
        self.function = function
        self.name = getattr(function, '__name__', type(function).__name__)
        try: self.hints = typing.get_type_hints(function, include_extras=True)
        except Exception: self.hints = dict(getattr(function, '__annotations__', {}))
        about, words = read_doc(function)
        properties, required, extra = {}, [], False
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind is parameter.VAR_POSITIONAL: continue
            if parameter.kind is parameter.VAR_KEYWORD: extra = True; continue
            schema = dict(schema_of(self.hints.get(name, parameter.annotation)))
            if name in words: schema['description'] = words[name]
            if parameter.default is parameter.empty: required.append(name)
            else:
                try: schema['default'] = json.loads(json.dumps(parameter.default, default=plain, allow_nan=False))
                except (TypeError, ValueError): pass
            properties[name] = schema
        # null is what a default says that means "none": it is not filled in for whoever leaves the argument out.
        for schema in properties.values():
            if schema.get('default', 0) is None: del schema['default']
        self.tool = {'name': self.name, 'description': about or self.name, 'inputSchema': {
            'type': 'object', 'properties': properties, 'additionalProperties': extra, **({'required': required} if required else {})}}

    def arguments(self, args):
        positional, named = [], {}
        for name, parameter in inspect.signature(self.function).parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                named.update({key: one for key, one in args.items() if key not in named and key not in inspect.signature(self.function).parameters})
            elif name in args:
                value = value_for(self.hints.get(name), args[name])
                if parameter.kind is parameter.POSITIONAL_ONLY: positional.append(value)
                else: named[name] = value
        return positional, named

def load(folder, files):
    sys.path[:0] = [os.path.join(folder, 'tools'), folder]
    os.chdir(folder)
    tools, prompts = {}, []
    for number, file in enumerate(files):
        spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(file))[0], file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        listed = getattr(module, 'TOOLS', None)
        if not isinstance(listed, (list, tuple)): raise ValueError(file + ': define a list named TOOLS.')
        for function in listed:
            if not callable(function): raise ValueError(file + ': TOOLS holds ' + repr(function) + ', which is no function.')
            one = Loaded(function)
            if one.name in tools: raise ValueError(file + ': there are two tools named ' + one.name + '.')
            tools[one.name] = one
        if isinstance(getattr(module, 'SYSTEM_PROMPT', None), str): prompts.append(module.SYSTEM_PROMPT)
    return tools, prompts

def place(error, folder):
    if isinstance(error, SyntaxError) and error.filename: return '%s:%s: %s' % (error.filename, error.lineno, error.msg)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith(folder): return '%s:%s: %s: %s' % (frame.filename, frame.lineno, type(error).__name__, error)
    return '%s: %s' % (type(error).__name__, error)

def main():
    folder, files = sys.argv[1], sys.argv[2:]
    try: tools, prompts = load(folder, files)
    except BaseException as error:
        send({'type': 'load-failed', 'message': place(error, folder)})
        return 1
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=32)
    running = {}

    def ended(number, work):
        running.pop(number, None)
        if work.cancelled(): return send({'type': 'ended', 'id': number})
        error = work.exception()
        try:
            if error is not None: send({'type': 'raised', 'id': number, 'message': place(error, folder)})
            else: send({'type': 'returned', 'id': number, 'value': work.result()})
        except (TypeError, ValueError) as wrong:
            send({'type': 'raised', 'id': number, 'message': 'The result is not JSON: %s' % wrong})

    async def finish(value): return await value

    def run(one, args):
        positional, named = one.arguments(args)
        return one.function(*positional, **named)

    async def run_async(one, args):
        positional, named = one.arguments(args)
        return await one.function(*positional, **named)

    send({'type': 'loaded', 'tools': [one.tool for one in tools.values()], 'prompts': prompts})
    for line in sys.stdin:
        message = json.loads(line)
        number = message['id']
        if message['type'] == 'cancel':
            work = running.get(number)
            if work is not None: work.cancel()
        else:
            one = tools[message['name']]
            if inspect.iscoroutinefunction(one.function): work = asyncio.run_coroutine_threadsafe(run_async(one, message['args']), loop)
            else: work = pool.submit(run, one, message['args'])
            running[number] = work
            work.add_done_callback(lambda done, number=number: ended(number, done))
    os._exit(0)

sys.exit(main())
`;
