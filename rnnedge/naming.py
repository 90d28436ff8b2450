"""Model names: identifiers that C, C++, the linker and the file system all take."""

import re
from contextlib import suppress

from rnnedge.errors import ModelError

_KEYWORDS = """
    alignas alignof and asm auto bool break case catch char class const continue decltype default
    delete do double else enum explicit export extern false float for friend goto if inline int
    long mutable namespace new noexcept not nullptr operator or private protected public register
    restrict return short signed sizeof static static_assert struct switch template this throw
    true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor
"""
_LIBRARY = """
    abort abs alarm atexit atof atoi atol atoll bcmp bcopy bsearch bzero calloc close creat div
    errno execl execv exit fclose feof ferror fflush ffs fgetc fgets fopen fork fprintf fputc
    fputs fread free frexp fscanf fseek ftell fwrite getc getchar getenv gets gettext index kill
    labs link linux lldiv longjmp main malloc memccpy memchr memcmp memcpy memmove mempcpy
    memset ntohl open pause perror pipe printf putc putchar puts qsort raise rand read realloc
    remove rename rewind rindex scanf setjmp signal sleep snprintf sprintf srand sscanf stderr
    stdin stdout stpcpy strcat strchr strcmp strcpy strdup strlen strncat strncmp strncpy strstr
    strtod strtol strtoul system time toascii tolower toupper unix unlink vfork vprintf vscanf
    wait write y0 y1 yn j0 j1 jn isalnum isalpha isascii isblank iscntrl isdigit isgraph islower
    isprint ispunct isspace isupper isxdigit
"""
_MATHS = """
    acos acosh asin asinh atan atan2 atanh cabs cacos carg casin catan cbrt ccos ceil cexp cimag
    clog conj copysign cos cosh cpow cproj creal csin csqrt ctan drem erf erfc exp exp10 exp2
    expm1 fabs fdim finite floor fma fmax fmin fmod frexp gamma hypot ilogb ldexp lgamma llrint
    llround log log10 log1p log2 logb lrint lround modf nan nearbyint nextafter pow pow10
    remainder remquo rint round scalb scalbln scalbn signbit significand sin sincos sinh sqrt
    tan tanh tgamma trunc
"""
_HEADERS = """
    assert complex ctype errno fenv fixed float inttypes limits locale math port selftest stdarg
    stdatomic stdbool stddef stdint stdio stdlib string strings tgmath threads uchar unistd
    wchar wctype
"""
_ARDUINO = """
    Serial Serial1 Serial2 Serial3 SerialUSB String boolean byte word setup loop init initVariant
    delay delayMicroseconds micros millis pinMode digitalRead digitalWrite analogRead analogWrite
    analogReference attachInterrupt detachInterrupt interrupts noInterrupts cli sei tone noTone
    pulseIn pulseInLong shiftIn shiftOut yield serialEvent serialEventRun map min max constrain
    radians degrees sq bit bitRead bitSet bitClear bitToggle bitWrite lowByte highByte random
    randomSeed makeWord isAlpha isAlphaNumeric isAscii isControl isDigit isGraph isHexadecimalDigit
    isLowerCase isPrintable isPunct isSpace isUpperCase isWhitespace digitalPinToPort
    clockCyclesPerMicrosecond new_handler
"""
_EXAMPLES = """
    SAMPLE_PERIOD_US class_text elapsed_us longest_us next_us raw_values read_clock read_sensor
    sample_timer status_code uart_setup value_index stream_ram stream_sensor timer_config
    write_bytes my_ram my_sensor on_timer model_start model_sample model_begin model_take
    model_answer model_next model_id model_value line_text line_number line_place number_end
    read_status count_value sample_count
"""
_RESERVED = frozenset(
    (_KEYWORDS + _LIBRARY + _HEADERS + _ARDUINO + _EXAMPLES).split()
    + [name + suffix for name in _MATHS.split() for suffix in ("", "f", "l")]
)
# headers of cores and of libraries that sketches use; Windows and macOS know no difference of case
_SHARED = """
    arduino binary bluetooth can cdc client eeprom esp esp_timer ethernet fs gpio hardwareserial hid
    ipaddress keyboard lcd liquidcrystal mouse pgmspace pins_arduino plugusb pluggableusb print
    printable printk rtc sd server servo softwareserial spi stepper stream tone twi udp usbapi
    usbcore usbdesc wcharacter wifi wire wiring wiring_private wstring
"""
# headers and functions of firmware/boards that have no prefix
_BOARDS = frozenset(["board", "boot2", "cmsdk", "Fault_Handler", "Reset_Handler", "start", "trap"])
_SHARED_HEADERS = frozenset(_SHARED.split())
_LONGEST = 40


def check_name(name: str) -> str:
    """Return `name` if it can name a model.

    Raises:
        ModelError: says what a name may be.
    """
    if (
        re.fullmatch(rf"[A-Za-z][A-Za-z0-9_]{{0,{_LONGEST - 1}}}", name) is None
        or name in _RESERVED
        or name.lower() in _SHARED_HEADERS
        or name.upper() == name  # macros
        or name.endswith("_t")
        or name in _BOARDS
        or name.lower().startswith(("rnnedge", "app_", "port_", "board_", "selftest_"))
        or "arduino" in name.lower()  # not in the name of somebody else's library
    ):
        raise ModelError(
            f"name {name!r} cannot name a model in C; choose letters, digits and _, at most "
            f"{_LONGEST}, not all capitals, no word of C, its library or Arduino's"
        )
    return name


def default_name(folder_name: str) -> str:
    """Return a model name made of a run folder's name.

    >>> default_name("kws-2"), default_name("3 axes"), default_name("double")
    ('kws_2', 'model_3_axes', 'model_double')
    """
    name = re.sub(r"\W", "_", folder_name, flags=re.ASCII).strip("_")[: _LONGEST - 10]
    for candidate in (name, f"model_{name}", f"model_{name}_net"):
        with suppress(ModelError):
            return check_name(candidate.rstrip("_"))
    return "model"
