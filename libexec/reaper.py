# What reaper.pl is, where there is no perl: see there for the orders, the reports and the reasons. It takes three times
# as long to start. Run with `python3 -I -S`, which reads nothing of the user's.
import ctypes
import os
import select
import signal
import sys

PRCTL, PRLIMIT = int(sys.argv[2]), int(sys.argv[3])
FOLDERS = sys.argv[5:]
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
WALL = 0x40000000
ORDERS, REPORTS = 3, 4
IGNORED = ('INT', 'QUIT', 'HUP', 'TERM', 'PIPE', 'TSTP', 'TTIN', 'TTOU', 'USR1', 'USR2')

libc = ctypes.CDLL(None, use_errno=True)
me = os.getpid()
job, script, incoming = None, 0, b''
read_ends, write_ends = (), ()


def call(number, *arguments):
    """A system call. Returns 0 or an errno."""
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return ctypes.get_errno() if libc.syscall(ctypes.c_long(number), *words) == -1 else 0


def report(*words):
    try:
        os.write(REPORTS, (' '.join(str(word) for word in words) + '\n').encode())
    except OSError:
        pass


def take_order():
    """One whole order and its payload from what was read; None while a job is still on its way."""
    global incoming
    line, newline, rest = incoming.partition(b'\n')
    if not newline:
        return None
    size = int(line[1:]) if line[:1] == b'J' else 0
    if len(rest) < size:
        return None
    incoming = rest[size:]
    return line[:1], rest[:size]


def obey(order, payload):
    if order == b'J':
        prepare_job(payload)
    elif order == b'G':
        start_job()
    elif order == b'T':
        everybody = descendants()
        signal_all(everybody, signal.SIGTERM)
        signal_all(everybody, signal.SIGCONT)
    elif order == b'K' and script:
        kill_all()
    elif order == b'W':
        report('W', *descendants())


def prepare_job(payload):
    global job, read_ends, write_ends
    job = {}
    for field in payload.split(b'\0')[:-1]:
        job.setdefault(field[:1], []).append(field[1:])
    try:
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
    except OSError as error:
        return report('E', 'pipe', error.errno)
    read_ends, write_ends = (out, err), (out_end, err_end)
    report('R', out, err)


def start_job():
    global script
    for descriptor in read_ends:
        os.close(descriptor)
    try:
        script = os.fork()
    except OSError as error:
        report('E', 'fork', error.errno)
    if script == 0 and os.getpid() != me:
        become_script()
    for descriptor in write_ends:
        os.close(descriptor)
    if script:
        report('P', script)


def become_script():
    for name in IGNORED + ('CHLD', 'XFSZ'):
        signal.signal(getattr(signal, 'SIG' + name), signal.SIG_DFL)
    call(PRCTL, PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != me:
        os._exit(125)
    in_terminal = b't' in job
    what = 'group'
    try:
        os.setpgid(0, terminal_group if in_terminal else 0)
        what = 'cgroup'
        for procs in job.get(b'c', ()):
            write_to(procs, b'0')
        what = 'limit'
        for spec in job.get(b'l', ()):
            limit(spec)
        what = 'stdin'
        if not in_terminal:
            os.dup2(os.open('/dev/null', os.O_RDONLY), 0)
        what = 'stdout'
        os.dup2(write_ends[0], 1)
        os.dup2(write_ends[1], 2)
        what = 'chdir'
        os.chdir(job[b'd'][0])
        what = 'exec'
        environment = dict(field.split(b'=', 1) for field in job.get(b'e', ()))
        os.execve(job[b'a'][0], job[b'a'], environment)
    except OSError as error:
        report('E', what, error.errno)
    finally:
        os._exit(125)


def limit(spec):
    resource, soft, hard = spec.split(b':')
    pair = ctypes.c_uint64 * 2
    old = pair()
    error = call(PRLIMIT, 0, int(resource), 0, ctypes.byref(old))
    if not error:
        most = old[1] if hard == b'-' else min(int(hard), old[1])
        error = call(PRLIMIT, 0, int(resource), ctypes.byref(pair(min(int(soft), most), most)), 0)
    if error:
        raise OSError(error, 'prlimit')


def reap():
    """Takes note of every child that has ended. True when there is none left (ECHILD)."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED | WALL)
        except ChildProcessError:
            return True
        if pid == 0:
            return False
        if pid != script:
            continue
        if os.WIFSTOPPED(status):
            if os.WSTOPSIG(status) in (signal.SIGTTIN, signal.SIGTTOU):
                report('S', os.WSTOPSIG(status))
        else:
            report('X', status >> 8, status & 127)


def finish():
    global job, script
    job, script = None, 0
    report('D')


def kill_all():
    rounds = refused = 0
    while not reap():
        for path in job.get(b'k', ()):
            try:
                write_to(path, b'1')
            except OSError:
                pass
        everybody = descendants() if rounds < 50 else [pid for pid in descendants() if is_living(pid)]
        refused = refused + 1 if everybody and not signal_all(everybody, signal.SIGKILL) else 0
        rounds += 1
        if refused > 100 or rounds > 1000:
            report('L', *everybody)
            os._exit(0)
        select.select((), (), (), 0.0005 if rounds < 50 else 0.01)
    finish()


def signal_all(pids, number):
    """Returns how many could be signalled."""
    reached = 0
    for pid in pids:
        try:
            os.kill(pid, number)
            reached += 1
        except OSError:
            pass
    return reached


def write_to(path, text):
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text)
    finally:
        os.close(descriptor)


def runner_is_gone():
    if script:
        kill_all()
    for top in FOLDERS:
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                pass
    os._exit(0)


def descendants():
    by_parent = None if os.path.exists('/proc/%d/task/%d/children' % (me, me)) else parents()
    found, queue = [], [me]
    while queue:
        pid = queue.pop()
        below = children(pid) if by_parent is None else by_parent.get(pid, [])
        found += below
        queue += below
    return found


def is_living(pid):
    try:
        with open('/proc/%d/stat' % pid, 'rb') as file:
            return file.read().rpartition(b') ')[2][:1] not in b'ZX'
    except OSError:
        return False


def children(pid):
    found = []
    try:
        for task in os.listdir('/proc/%d/task' % pid):
            with open('/proc/%d/task/%s/children' % (pid, task)) as file:
                found += [int(word) for word in file.read().split()]
    except OSError:
        pass
    return found


def parents():
    by_parent = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/stat' % pid, 'rb') as file:
                parent = int(file.read().rpartition(b') ')[2].split()[1])
        except (OSError, IndexError):
            continue
        by_parent.setdefault(parent, []).append(int(pid))
    return by_parent


os.set_inheritable(ORDERS, False)
os.set_inheritable(REPORTS, False)
os.closerange(5, 4096)
terminal_group = os.getpgrp()
os.setpgid(0, 0)
for name in IGNORED:
    signal.signal(getattr(signal, 'SIG' + name), signal.SIG_IGN)
woken, wake = os.pipe()
os.set_blocking(woken, False)
os.set_blocking(wake, False)
# Before the first fork, or a script that ends at once would never be noticed.
signal.signal(signal.SIGCHLD, lambda *_: None)
signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

failure = call(PRCTL, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
if failure:
    report('E', 'subreaper', failure)
    os._exit(125)
report('H')

while True:
    ready = select.select((ORDERS, woken), (), (), 0.2)[0]
    if woken in ready:
        try:
            os.read(woken, 4096)
        except BlockingIOError:
            pass
    if script and reap():
        finish()
    if ORDERS not in ready:
        continue
    data = os.read(ORDERS, 65536)
    if not data:
        runner_is_gone()
    incoming += data
    while True:
        taken = take_order()
        if taken is None:
            break
        obey(*taken)
