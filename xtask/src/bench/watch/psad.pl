# The counting of psad over the lines of a log, with the time as the log has it: its own parser and
# its own functions, called as its main loop calls them. Reporting is left out.
our $now = 0;
BEGIN { *CORE::GLOBAL::time = sub () { $main::now || CORE::time() } }
my ($log, $folder) = @ARGV;
sub whole { open my $file, '<', $_[0] or die "$_[0]: $!"; local $/; <$file> }
# It writes nowhere but into a folder of the run.
my $config = whole('/etc/psad/psad.conf');
$config =~ s{^(PSAD_(?:DIR|RUN_DIR|FIFO_DIR))\s.*}{$1 $folder;}mg;
open my $own, '>', "$folder/psad.conf" or die "psad.conf: $!";
print $own $config;
close $own;
my $text = whole('/usr/sbin/psad');
my $drive = q{
    $analyze_mode = 0;
    my ($batch, @waiting);
    my $look = sub {
        $main::now = ($batch + 1) * $config{'CHECK_INTERVAL'};
        &check_scan(\@waiting) if @waiting;
        @waiting = ();
    };
    for my $line (@ipt_msgs) {
        my ($day, $h, $m, $s) = $line =~ /^Dec (\d\d) (\d\d):(\d\d):(\d\d)/;
        my $at = 1_638_316_800 + (($day - 1) * 24 + $h) * 3600 + $m * 60 + $s;
        my $of = int($at / $config{'CHECK_INTERVAL'});
        if (defined $batch && $of != $batch) {
            $look->();
            # The main loop forgets in each so many rounds, whether anything came or not.
            my $every = $config{'PERSISTENCE_CTR_THRESHOLD'};
            my $last = int(($of - 1) / $every) * $every;
            if ($last >= $batch) {
                $main::now = ($last + 1) * $config{'CHECK_INTERVAL'};
                &delete_old_scans();
            }
        }
        $batch = $of;
        push @waiting, $line;
    }
    $look->();
    for my $source (sort keys %scan_dl) {
        print "flagged $source\n" if $scan_dl{$source} >= 1;
    }
    exit 0;
};
my $count = 0;
$count += $text =~ s/&check_scan\(\\\@ipt_msgs\);/$drive/;
$count += $text =~ s/&scan_logr\(\\%curr_scan\);//;
die "psad is not as it was\n" if $count != 2;
@ARGV = ('-A', '-m', $log, '-c', "$folder/psad.conf", '--no-whois', '--no-rdns', '--no-signatures',
    '--no-snort-sids', '--no-passive-os', '--no-auto-dl');
$0 = '/usr/sbin/psad';
eval $text;
die $@ if $@;
