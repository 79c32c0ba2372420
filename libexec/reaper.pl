# The parent of a run's scripts: whatever they start, however it hides, stays a descendant of this process, and this
# process ends it. As a subreaper (prctl(2), PR_SET_CHILD_SUBREAPER) it inherits every orphan of theirs, and when
# waitpid(2) says ECHILD, none is left: a proof, not a guess. reaper.py is the same where there is no perl.
#
#     perl reaper.pl RUN PRCTL PRLIMIT WAIT4 [CGROUP…]
#
# Run id (for people who read `ps`), numbers of the system calls, folders to remove when the runner is dead.
#
#     perl reaper.pl RUNNER PRCTL PRLIMIT WAIT4 +
#
# A nursery: a process that makes reapers by fork(2), which takes a tenth of what starting perl does. Such a reaper has made its
# control group, and its first script's process is there already, in the group and waiting for its job: a seedling.
# The nursery's own orders and reports, on the same two descriptors:
#     N<folder>       make one, with this folder as its control group (none: without)
#     N <pid> <o> <r> it was made; its life line and its reports can be opened from these descriptors of the nursery
#     C<pid>          they were opened: the nursery closes its own, so that each life line has one end
#     W<pid>          it has ended, and nobody signals it any more: until then its pid is nobody else's
#
# fd 3, the life line: orders of the runner, one a line. Its end means that the runner is dead, and ends everything.
#     J<bytes>    a job follows: fields that end in NUL, each with a letter before it (`start_job`)
#     G           the runner has opened the pipes: start the job
#     T  K        TERM (and CONT, for those that are stopped) to all; KILL until none is left
#     W           who is there?
# fd 4: reports to the runner, one a line.
#     H           here, and a subreaper; of one that a nursery has made: its seedling is in the control group
#     R <o> <e>   descriptors of this process from which the job's stdout and stderr can be opened (/proc/PID/fd)
#     P <pid>     the script was started
#     E <what> <errno>   it could not be
#     S <signal>  the script was stopped, because it wanted the terminal (SIGTTIN, SIGTTOU)
#     X <code> <signal>  the script has ended
#     W <pids>    the answer
#     L <pids>    these may not be signalled (they became root) and are left alone; this process ends
#     D           nothing of the job is left; the next may come
#
# Only `strict` is loaded: POSIX alone would double the time this takes to start (7 ms).
use strict;

my (undef, $prctl, $prlimit, $wait4, @folders) = @ARGV;
my ($WNOHANG, $WUNTRACED, $WALL, $ECHILD, $EINTR) = (1, 2, 0x40000000, 10, 4);
my ($SIGKILL, $SIGTTIN, $SIGTTOU) = (9, 21, 22);
my ($PR_SET_PDEATHSIG, $PR_SET_CHILD_SUBREAPER) = (1, 36);
my ($F_SETFD, $FD_CLOEXEC, $F_SETFL, $O_WRONLY_NONBLOCK) = (2, 1, 4, 04001);

open(my $orders, '<&=', 3) or exit 125;
open(my $reports, '>&=', 4) or exit 125;
fcntl($_, $F_SETFD, $FD_CLOEXEC) for $orders, $reports;
close_others();

my $terminal_group = getpgrp();
setpgrp(0, 0);
$SIG{$_} = 'IGNORE' for qw(INT QUIT HUP TERM PIPE TSTP TTIN TTOU USR1 USR2);
my $is_ahead = @folders && $folders[0] eq '+';
be_nursery() if $is_ahead;
pipe(my $woken, my $wake) or exit 125;
fcntl($wake, $F_SETFL, $O_WRONLY_NONBLOCK);
# Before the first fork, or a script that ends at once would never be noticed.
$SIG{CHLD} = sub { syswrite($wake, '.') };

if (syscall($prctl + 0, $PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) { report('E', 'subreaper', $! + 0); exit 125 }

my $me = $$;
my ($job, $script) = (undef, 0);
my ($seedling, $seed) = (0, undef);
if ($is_ahead) { make_group($_) for @folders; plant() }
else { report('H') }
my ($in, $order, $payload) = ('', '', '');
for (;;) {
    my $ready = '';
    vec($ready, fileno($_), 1) = 1 for $orders, $woken;
    # The time limit is for signals that perl has put off.
    my $count = select($ready, undef, undef, $script ? 0.2 : 10);
    if ($count > 0 && vec($ready, fileno($woken), 1)) { sysread($woken, my $waste, 4096) }
    if ($script && reap()) { finish() }
    next if $count <= 0 || !vec($ready, fileno($orders), 1);
    my $read = sysread($orders, $in, 65536, length $in);
    next if !defined $read && $! == $EINTR;
    if (!$read) { runner_is_gone() }
    obey() while $in =~ /\n/ && take_order();
}

# One whole order from what was read; false while a job is still on its way.
sub take_order {
    my ($line) = $in =~ /^([^\n]*)\n/;
    my $end = length($line) + 1;
    my $bytes = $line =~ /^J(\d+)$/ ? $1 : 0;
    return 0 if length($in) < $end + $bytes;
    ($order, $payload) = (substr($line, 0, 1), substr($in, $end, $bytes));
    $in = substr($in, $end + $bytes);
    return 1;
}

sub obey {
    if    ($order eq 'J') { prepare_job() }
    elsif ($order eq 'G') { start_job() }
    elsif ($order eq 'T') { my @all = descendants(); kill('TERM', @all); kill('CONT', @all) }
    elsif ($order eq 'K') { kill_all() if $script }
    elsif ($order eq 'W') { report('W', descendants()) }
}

# Fields: d work folder, a argument, e NAME=value, c cgroup.procs to enter, k cgroup.kill to write, l limit
# (resource:soft:hard), g another folder to remove when the runner is dead, t in the terminal's foreground with its input.
sub prepare_job {
    my $fields = fields_of($payload);
    push @folders, @{ $fields->{g} || [] };
    if ($seedling) {
        # Killed by somebody meanwhile, it is no script's process any more.
        my $status = pack('i', 0);
        if (syscall($wait4 + 0, $seedling, $status, $WNOHANG | $WALL, 0) == 0) {
            $job = { fields => $fields, payload => $payload, %$seed };
            return report('R', map { fileno($_) } @{ $job->{read} });
        }
        ($seedling, $seed) = (0, undef);
    }
    pipe(my $out, my $out_end) or return report('E', 'pipe', $! + 0);
    pipe(my $err, my $err_end) or return report('E', 'pipe', $! + 0);
    $job = { fields => $fields, read => [$out, $err], write => [$out_end, $err_end] };
    report('R', fileno($out), fileno($err));
}

sub fields_of {
    my %fields;
    push @{ $fields{ substr($_, 0, 1) } }, substr($_, 1) for split(/\0/, $_[0]);
    return \%fields;
}

sub start_job {
    delete $job->{read};
    if ($seedling) {
        ($script, $seedling, $seed) = ($seedling, 0, undef);
        write_all(delete $job->{tell}, delete $job->{payload});
        delete $job->{write};
        return report('P', $script);
    }
    $script = fork();
    if (!defined $script) { $script = 0; return report('E', 'fork', $! + 0) }
    become_script() if $script == 0;
    delete $job->{write};
    report('P', $script);
}

# The process of the first script, before that is known.
sub plant {
    pipe(my $out, my $out_end) && pipe(my $err, my $err_end) && pipe(my $hear, my $tell) or leave('pipe');
    $seedling = fork();
    leave('fork') if !defined $seedling;
    if ($seedling) {
        $seed = { tell => $tell, read => [$out, $err], write => [$out_end, $err_end] };
        return;
    }
    close($_) for $out, $err, $tell;
    syscall($prctl + 0, $PR_SET_PDEATHSIG, $SIGKILL, 0, 0, 0);
    exit 125 if getppid() != $me;
    setpgrp(0, 0);
    write_to("$_/cgroup.procs", 0) or fail('cgroup') for @folders;
    report('H');
    my $told = do { local $/; readline($hear) };
    exit 125 if !defined $told || $told eq '';
    $job = { fields => fields_of($told), write => [$out_end, $err_end] };
    # It is there already, and entering once more might take as long as the first time.
    $job->{fields}{c} = [grep { my $file = $_; !grep { $file eq "$_/cgroup.procs" } @folders } @{ $job->{fields}{c} || [] }];
    become_script();
}

# A reaper that could not be made.
sub leave {
    report('E', $_[0], $! + 0);
    remove_group($_) for @folders;
    exit 125;
}

sub make_group {
    my ($folder) = @_;
    return if mkdir($folder);
    @folders = ();
    leave('cgroup');
}

# Returns in each reaper; the nursery itself ends here, with its runner.
sub be_nursery {
    my %open;
    report('H');
    while (defined(my $line = readline($orders))) {
        chomp $line;
        my ($letter, $word) = (substr($line, 0, 1), substr($line, 1));
        if ($letter eq 'C') { delete $open{$word} }
        elsif ($letter eq 'W') { waitpid($word, 0) }
        elsif ($letter eq 'N') {
            pipe(my $hear, my $life) && pipe(my $heard, my $tell) or do { report('E', 'pipe', $! + 0); next };
            my $pid = fork();
            if (!defined $pid) { report('E', 'fork', $! + 0); next }
            if ($pid == 0) {
                # Also the ends of others that were not opened yet: a life line has one other end.
                %open = ();
                close($_) for $life, $heard, $orders, $reports;
                ($orders, $reports) = ($hear, $tell);
                @folders = $word eq '' ? () : ($word);
                return;
            }
            $open{$pid} = [$life, $heard];
            report('N', $pid, fileno($life), fileno($heard));
        }
    }
    exit 0;
}

sub become_script {
    my %fields = %{ $job->{fields} };
    $SIG{$_} = 'DEFAULT' for qw(INT QUIT HUP TERM PIPE TSTP TTIN TTOU USR1 USR2 CHLD);
    # Should somebody kill the reaper, the script at least goes with it.
    syscall($prctl + 0, $PR_SET_PDEATHSIG, $SIGKILL, 0, 0, 0);
    exit 125 if getppid() != $me;
    setpgrp(0, $fields{t} ? $terminal_group : 0);
    write_to($_, 0) or fail('cgroup') for @{ $fields{c} || [] };
    limit($_) for @{ $fields{l} || [] };
    my ($out, $err) = @{ $job->{write} };
    $fields{t} or open(STDIN, '<', '/dev/null') or fail('stdin');
    open(STDOUT, '>&', $out) && open(STDERR, '>&', $err) or fail('stdout');
    chdir($fields{d}[0]) or fail('chdir');
    %ENV = map { split(/=/, $_, 2) } @{ $fields{e} || [] };
    my @arguments = @{ $fields{a} };
    { no warnings; exec { $arguments[0] } @arguments }
    fail('exec');
}

sub fail { report('E', $_[0], $! + 0); exit 125 }

# prlimit(2) takes two unsigned numbers of 64 bits; a hard limit is never raised.
sub limit {
    my ($resource, $soft, $hard) = split(/:/, $_[0]);
    my $old = pack('Q2', 0, 0);
    syscall($prlimit + 0, 0, $resource + 0, 0, $old) == 0 or fail('limit');
    my $most = (unpack('Q2', $old))[1];
    $hard = $most if $hard eq '-' || $hard > $most;
    $soft = $hard if $soft > $hard;
    my $new = pack('Q2', $soft, $hard);
    syscall($prlimit + 0, 0, $resource + 0, $new, 0) == 0 or fail('limit');
}

# Takes note of every child that has ended. True when there is none left (ECHILD). By the system call itself, because
# perl's own waitpid does not tell a child that was stopped from one that has ended well.
sub reap {
    for (;;) {
        my $status = pack('i', 0);
        my $pid = syscall($wait4 + 0, -1, $status, $WNOHANG | $WUNTRACED | $WALL, 0);
        return $! == $ECHILD if $pid < 0;
        return 0 if $pid == 0;
        next if $pid != $script;
        my ($low, $high) = (unpack('i', $status) & 255, unpack('i', $status) >> 8);
        if ($low != 127) { report('X', $high, $low & 127) }
        elsif ($high == $SIGTTIN || $high == $SIGTTOU) { report('S', $high) }
    }
}

sub finish {
    ($job, $script) = (undef, 0);
    report('D');
}

# Again and again, since new ones may be born meanwhile, until there is none; or until those that are left are not ours.
sub kill_all {
    my ($rounds, $refused) = (0, 0);
    until (reap()) {
        # Nobody in the cgroup is excepted, also who became root.
        write_to($_, 1) for @{ $job->{fields}{k} || [] };
        my @all = $rounds < 50 ? descendants() : living(descendants());
        my $reached = kill('KILL', @all);
        $refused = @all && !$reached ? $refused + 1 : 0;
        if ($refused > 100 || $rounds++ > 1000) { report('L', @all); exit 0 }
        select(undef, undef, undef, $rounds < 50 ? 0.0005 : 0.01);
    }
    finish();
}

# A pipe takes a part of what is more than it holds.
sub write_all {
    my ($pipe, $text) = @_;
    while (length $text) {
        my $count = syswrite($pipe, $text);
        if (defined $count) { $text = substr($text, $count) }
        elsif ($! != $EINTR) { last }
    }
}

sub write_to {
    my ($path, $text) = @_;
    open(my $file, '>', $path) or return 0;
    return defined syswrite($file, $text);
}

sub runner_is_gone {
    kill_all() if $script || $seedling;
    remove_group($_) for @folders;
    exit 0;
}

# Without those that have ended and that nobody has waited for: they can be signalled, and nothing comes of it.
sub living {
    return grep { is_living($_) } @_;
}

sub is_living {
    open(my $file, '<', "/proc/$_[0]/stat") or return 0;
    return (readline($file) // '') !~ /\) [ZX] /;
}

# With the groups of runs that were started within this one.
sub remove_group {
    my ($folder) = @_;
    if (opendir(my $entries, $folder)) {
        remove_group("$folder/$_") for grep { !/^\./ && -d "$folder/$_" } readdir $entries;
    }
    rmdir($folder);
}

# All processes below this one, in no order that could be relied on: some may be gone, others not yet seen.
sub descendants {
    my @queue = ($$);
    my @found;
    my $by_parent = -e "/proc/$$/task/$$/children" ? undef : parents();
    while (defined(my $pid = shift @queue)) {
        my @children = $by_parent ? @{ $by_parent->{$pid} || [] } : children($pid);
        push @found, @children;
        push @queue, @children;
    }
    return @found;
}

sub children {
    my ($pid) = @_;
    my @children;
    opendir(my $tasks, "/proc/$pid/task") or return;
    for my $task (grep { /^\d/ } readdir $tasks) {
        open(my $file, '<', "/proc/$pid/task/$task/children") or next;
        push @children, split(' ', readline($file) // '');
    }
    return @children;
}

# For kernels without CONFIG_PROC_CHILDREN: parent and pid of everybody, from /proc/PID/stat.
sub parents {
    my %by_parent;
    opendir(my $all, '/proc') or return {};
    for my $pid (grep { /^\d/ } readdir $all) {
        open(my $file, '<', "/proc/$pid/stat") or next;
        my ($parent) = (readline($file) // '') =~ /.*\) \S (\d+)/ or next;
        push @{ $by_parent{$parent} }, $pid;
    }
    return \%by_parent;
}

sub report { syswrite($reports, join(' ', @_) . "\n") }

# What the runner itself has inherited is not for scripts.
sub close_others {
    opendir(my $folder, '/proc/self/fd') or return;
    my @open = grep { /^\d+$/ && $_ > 4 } readdir $folder;
    closedir $folder;
    for my $number (@open) {
        open(my $file, '<&=', $number) or next;
        close $file;
    }
}
