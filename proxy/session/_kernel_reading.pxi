"""Rows of COPY FROM: the part of _kernel.pyx that reads."""

cdef object irregular = ValueError

cdef double POWERS[23]
cdef int _power
for _power in range(23):
    POWERS[_power] = 10.0 ** _power


cdef class LineReader:
    """Reads blocks of whole lines of COPY FROM as rows of stored values.

    `limits`: two numbers a column: the least and the greatest INTEGER; the most characters of a STRING, or -1; the digits before the point
    and the scale of a NUMERIC, or -1; whether a TIMESTAMP may have a fraction. `inputs`: what reads the text of a GENERAL column.
    """

    cdef tuple inputs
    cdef int codes[1664]
    cdef int64_t low[1664]
    cdef int64_t high[1664]
    cdef Py_ssize_t count
    cdef char delimiter, quote
    cdef bint is_csv
    cdef bytes null
    cdef char *field  # where a field with escapes or quotes is put together
    cdef Py_ssize_t room

    def __cinit__(self):
        self.field, self.room = NULL, 0

    def __dealloc__(self):
        PyMem_Free(self.field)

    def __init__(self, kinds, limits, inputs, delimiter, null, quote=b""):
        cdef Py_ssize_t index
        self.count = len(kinds)
        self.inputs = tuple(inputs)
        if not 0 < self.count <= 1664 or self.count != len(limits) or self.count != len(self.inputs):
            raise ValueError("too many columns")
        for index in range(self.count):
            self.codes[index] = kinds[index]
            self.low[index], self.high[index] = limits[index]
        self.delimiter, self.null = delimiter[0], null
        self.is_csv = bool(quote)
        self.quote = quote[0] if quote else 0

    def __call__(self, bytes block):
        """The rows of a block. Raises ValueError, and what `inputs` raise, where it is not regular."""
        cdef const char *at = PyBytes_AS_STRING(block)
        cdef const char *end = at + PyBytes_GET_SIZE(block)
        cdef const char *field
        cdef Py_ssize_t index, size
        cdef bint quoted
        cdef list rows = []
        cdef tuple row
        cdef object value
        while at < end:
            row = PyTuple_New(self.count)
            for index in range(self.count):
                field, size, quoted = at, 0, False
                if self.is_csv:
                    at = self.csv_field(at, end, &field, &size, &quoted)
                else:
                    at = self.text_field(at, end, &field, &size)
                # a field ends before its delimiter, the last one before the end of the line
                if index + 1 < self.count:
                    if at >= end or at[0] != self.delimiter:
                        raise irregular
                elif at < end and at[0] != 10:
                    raise irregular
                at += 1
                if not quoted and size == PyBytes_GET_SIZE(self.null) and memcmp(field, PyBytes_AS_STRING(self.null), size) == 0:
                    value = None
                else:
                    if not self.is_csv and size < 0:
                        size = self.unescaped(&field, -size)
                    value = self.value(field, size, index)
                Py_INCREF(value)
                PyTuple_SET_ITEM(row, index, value)
            rows.append(row)
        return rows

    cdef const char *text_field(self, const char *at, const char *end, const char **field, Py_ssize_t *size) noexcept:
        """Up to the next delimiter or line end that no backslash precedes; the size is negative for a field with backslashes."""
        cdef const char *start = at
        cdef bint escaped = False
        while at < end and at[0] != self.delimiter and at[0] != 10:
            if at[0] == 92:
                escaped = True
                at += 1
                if at == end or at[0] == 10:
                    break
            at += 1
        field[0] = start
        size[0] = at - start
        # the marker of NULL is compared before backslashes are resolved
        if escaped and not (size[0] == PyBytes_GET_SIZE(self.null) and memcmp(start, PyBytes_AS_STRING(self.null), size[0]) == 0):
            size[0] = -size[0]
        return at

    cdef int make_room(self, Py_ssize_t size) except -1:
        cdef char *moved
        if size > self.room:
            moved = <char *>PyMem_Realloc(self.field, size * 2)
            if moved == NULL:
                raise MemoryError
            self.field, self.room = moved, size * 2
        return 0

    cdef Py_ssize_t unescaped(self, const char **field, Py_ssize_t size) except -1:
        """The field without its backslashes; those before digits, x and line ends are for Python."""
        cdef const char *at = field[0]
        cdef const char *end = at + size
        cdef Py_ssize_t count = 0
        cdef char byte
        self.make_room(size)
        while at < end:
            byte = at[0]
            at += 1
            if byte == 92:
                if at == end or is_digit(at[0]) or at[0] == 120 or at[0] == 10 or at[0] == 46:
                    raise irregular
                byte = at[0]
                at += 1
                if byte == 98:
                    byte = 8
                elif byte == 102:
                    byte = 12
                elif byte == 110:
                    byte = 10
                elif byte == 114:
                    byte = 13
                elif byte == 116:
                    byte = 9
                elif byte == 118:
                    byte = 11
            self.field[count] = byte
            count += 1
        field[0] = self.field
        return count

    cdef const char *csv_field(self, const char *at, const char *end, const char **field, Py_ssize_t *size, bint *quoted) except NULL:
        """A field that is quoted as a whole or has no quotes; the quote escapes itself."""
        cdef const char *start = at
        cdef Py_ssize_t count = 0
        if at < end and at[0] == self.quote:
            quoted[0] = True
            at += 1
            field[0] = start = at
            while at < end and at[0] != self.quote and at[0] != 10:
                at += 1
            if at + 1 < end and at[0] == self.quote and at[1] == self.quote:
                return self.doubled(start, end, field, size)
            if at == end or at[0] == 10:
                raise irregular
            size[0] = at - start
            return at + 1
        while at < end and at[0] != self.delimiter and at[0] != 10:
            if at[0] == self.quote:
                raise irregular
            at += 1
        field[0] = start
        size[0] = at - start
        return at

    cdef const char *doubled(self, const char *at, const char *end, const char **field, Py_ssize_t *size) except NULL:
        cdef Py_ssize_t count = 0
        cdef const char *line_end = <const char *>memchr(at, 10, end - at)
        self.make_room((end if line_end == NULL else line_end) - at)
        while True:
            if at == end or at[0] == 10:
                raise irregular
            if at[0] == self.quote:
                if at + 1 == end or at[1] != self.quote:
                    break
                at += 1
            self.field[count] = at[0]
            count += 1
            at += 1
        field[0] = self.field
        size[0] = count
        return at + 1

    cdef object value(self, const char *text, Py_ssize_t size, Py_ssize_t index):
        """The stored value of a field."""
        cdef int kind = self.codes[index]
        if kind == STRING:
            return self.string(text, size, self.low[index])
        if kind == INTEGER:
            return self.integer(text, size, index)
        if kind == FLOAT:
            return self.real(text, size)
        if kind == BOOLEAN:
            return self.boolean(text, size)
        if kind == NUMERIC:
            return self.numeric(text, size, self.low[index], self.high[index])
        if kind == DATE:
            if size != 10 or day_number(text) == NO_DAY:
                raise irregular
            return PyUnicode_DecodeUTF8(text, size, NULL)
        if kind == TIMESTAMP or kind == TIMESTAMPTZ:
            return self.moment(text, size, kind == TIMESTAMPTZ, self.low[index] != 0)
        return self.inputs[index](PyUnicode_DecodeUTF8(text, size, NULL))

    cdef object string(self, const char *text, Py_ssize_t size, int64_t most):
        cdef object made = PyUnicode_DecodeUTF8(text, size, NULL)
        if most >= 0 and size > most and len(made) > most:
            raise irregular
        return made

    cdef object integer(self, const char *text, Py_ssize_t size, Py_ssize_t index):
        cdef int64_t number = 0
        cdef bint negative = size > 0 and text[0] == 45
        cdef Py_ssize_t position
        if size == negative or size > 18:
            raise irregular
        for position in range(negative, size):
            if not is_digit(text[position]):
                raise irregular
            number = number * 10 + text[position] - 48
        number = -number if negative else number
        if number < self.low[index] or number > self.high[index]:
            raise irregular
        return PyLong_FromLongLong(number)

    cdef object boolean(self, const char *text, Py_ssize_t size):
        if size == 1 and (text[0] == 116 or text[0] == 49):
            return 1
        if size == 1 and (text[0] == 102 or text[0] == 48):
            return 0
        if size == 4 and memcmp(text, b"true", 4) == 0:
            return 1
        if size == 5 and memcmp(text, b"false", 5) == 0:
            return 0
        raise irregular

    cdef object real(self, const char *text, Py_ssize_t size):
        """A number in decimal. Up to 15 digits and a power of ten that a double holds exactly make one correctly rounded division."""
        cdef uint64_t digits = 0
        cdef Py_ssize_t position = size > 0 and text[0] == 45
        cdef Py_ssize_t point = -1, count = 0
        cdef bint negative = position
        cdef double number
        cdef char copy[64]
        cdef char *stop
        if size == position or size > 60:
            raise irregular
        while position < size:
            if text[position] == 46 and point < 0:
                point = position
            elif is_digit(text[position]):
                digits = digits * 10 + text[position] - 48
                count += 1
            else:
                break
            position += 1
        if position == size and 0 < count <= 15:
            number = <double>digits / POWERS[size - point - 1 if point >= 0 else 0]
            return PyFloat_FromDouble(-number if negative else number)
        for position in range(size):
            if not (is_digit(text[position]) or text[position] in (43, 45, 46, 69, 101)):
                raise irregular
        memcpy(copy, text, size)
        copy[size] = 0
        number = PyOS_string_to_double(copy, &stop, NULL)
        if stop != copy + size or isinf(number) or number == 0:  # 0: too small a number is an error
            raise irregular
        return PyFloat_FromDouble(number)

    cdef object numeric(self, const char *text, Py_ssize_t size, int64_t digits, int64_t scale):
        """A number whose text is what a column of this modifier holds (copy_blocks._numeric_pattern)."""
        cdef Py_ssize_t position = size > 0 and text[0] == 45
        cdef Py_ssize_t start = position, whole
        if position < size and text[position] == 48:
            if position:
                raise irregular
            position += 1
        else:
            while position < size and is_digit(text[position]):
                position += 1
        whole = position - start
        if not whole or whole > (100 if scale < 0 else max(digits, <int64_t>1)) or (scale >= 0 and not digits and text[start] != 48):
            raise irregular
        if position < size or scale > 0:
            if position == size or text[position] != 46 or size - position - 1 > 99 or scale == 0:
                raise irregular
            if scale > 0 and size - position - 1 != scale or position + 1 == size:
                raise irregular
            for position in range(position + 1, size):
                if not is_digit(text[position]):
                    raise irregular
        return PyUnicode_DecodeUTF8(text, size, NULL)

    cdef object moment(self, const char *text, Py_ssize_t size, bint zoned, bint fractional):
        """A timestamp as it is stored; one with a time zone if that is +00."""
        if zoned:
            size -= 3
            if size < 19 or memcmp(text + size, b"+00", 3) != 0:
                raise irregular
        if size < 19 or day_number(text) == NO_DAY or text[10] != 32 or second_of_day(text + 11) < 0:
            raise irregular
        if size > 19 and (not fractional or fraction_of(text + 19, size - 19) < 0 or text[size - 1] == 48):
            raise irregular
        return PyUnicode_DecodeUTF8(text, size, NULL)
