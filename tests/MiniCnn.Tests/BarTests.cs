using MiniCnn.Examples;

namespace MiniCnn.Tests;

/// <summary>The lines that the examples write of their progress where there is no terminal, by a clock that the test turns.</summary>
public sealed class BarTests
{
    sealed class Clock : TimeProvider
    {
        public long Seconds { get; set; } = 1000;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }

    [Fact]
    public void A_line_every_two_seconds_says_the_time_left_and_another_piece_of_work_begins_anew()
    {
        Clock clock = new();
        StringWriter output = new() { NewLine = "\n" };
        Action<long, long> report = Bar.Lines(output, clock);
        After(3, 0);                                                  // nothing to go by
        After(1, 10);                                                 // 10 in 4 seconds, 90 to go
        After(1, 20);                                                 // one second after the last line
        After(5, 25);                                                 // 25 in 10
        After(0, 4);                                                  // less than before: another piece of work, of which nothing is known yet
        After(1, 5);
        After(2, 6);                                                  // 6 in 3
        Assert.Equal("10 %  0:36 left\n25 %  0:30 left\n6 %  0:47 left\n", output.ToString());

        void After(int seconds, long done)
        {
            clock.Seconds += seconds;
            report(done, 100);
        }
    }

    [Fact]
    public void Hours_are_minutes() => Assert.Equal(
        ["0:00", "0:59", "1:00", "59:59", "60:00", "75:04", "1500:01"],
        ((int[])[0, 59, 60, 3599, 3600, 4504, 90001]).Select(seconds => Bar.Text(TimeSpan.FromSeconds(seconds))));
}
