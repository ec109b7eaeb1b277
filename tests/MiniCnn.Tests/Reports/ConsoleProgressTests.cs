using System.Text;
using System.Text.RegularExpressions;
using MiniCnn.Reports;
using Spectre.Console;

namespace MiniCnn.Tests;

/// <summary>Console output of progress: lines without a terminal, a bar with one. The test controls the clock.</summary>
public sealed class ConsoleProgressTests
{
    readonly Clock clock = new();

    [Fact]
    public void A_line_every_two_seconds_says_the_time_left_and_another_piece_of_work_begins_anew()
    {
        Screen screen = new(isTerminal: false);
        ConsoleProgress progress = new("reading", screen.Console, clock);
        After(3, 0);                                                  // nothing to go by
        After(1, 10);                                                 // 10 in 4 seconds, 90 to go
        After(1, 20);                                                 // one second after the last line
        After(5, 25);                                                 // 25 in 10
        After(0, 4);                                                  // less than before: another piece of work, of which nothing is known yet
        After(1, 5);
        After(2, 6);                                                  // 6 in 3
        Assert.Equal("reading\n10 %  0:36 left\n25 %  0:30 left\n6 %  0:47 left\n", screen.Written);

        void After(int seconds, int done)
        {
            clock.Milliseconds += 1000 * seconds;
            progress.Report((done, 100));
        }
    }

    [Fact]
    public void A_training_says_losses_accuracies_the_best_epoch_and_the_time_left()
    {
        Screen screen = new(isTerminal: false);
        ConsoleProgress progress = new(null, screen.Console, clock);
        After(1, new(0, 2, 1, 4, 1, 3, 5, 10));
        After(1, new(0, 2, 2, 4, 3, 1, 9, 30, new(1.5, 0.35, 0.1f, 0.25, 0.5, 0.25), 0));
        After(1, new(1, 2, 3, 4, 2, float.NaN, 0, 0));                   // a batch that did not count
        After(1, new(1, 2, 4, 4, 4, 0.5f, 30, 30, new(0.5, 1, 0.1f, 0.125, 0.625, 0.75), 0, "mean IoU"));
        Assert.Equal(
            "epoch 1: validation loss 0.2500, accuracy 50.00 %; the best so far\n"
            + "epoch 1/2  loss 1.5000  accuracy 35.00 %  2 images/s  0:02 left\n"
            + "epoch 2: validation loss 0.1250, accuracy 62.50 %, mean IoU 0.7500; the best is epoch 1\n"
            + "epoch 2/2  loss 0.5000  accuracy 100.00 %  2 images/s  0:00 left\n",
            screen.Written);

        // A run that goes on: its own steps alone tell how long it will take.
        screen = new(isTerminal: false);
        progress = new("training", screen.Console, clock);
        After(3, new(0, 2, 91, 100, 10, 2, 5, 10, Note: "resumed after step 90 of 100; learning rate 0.1 → 0.2"));
        Assert.Equal("training\nresumed after step 90 of 100; learning rate 0.1 → 0.2\nepoch 1/2  loss 2.0000  accuracy 50.00 %  3 images/s  0:27 left\n", screen.Written);

        void After(int seconds, TrainingStep step)
        {
            clock.Milliseconds += 1000 * seconds;
            progress.Report(step);
        }
    }

    [Theory]
    [InlineData(100)]
    [InlineData(60)]
    [InlineData(30)]
    public void On_a_terminal_a_bar_renews_itself_below_the_lines(int width)
    {
        Screen screen = new(isTerminal: true, width);
        ConsoleProgress progress = new("training", screen.Console, clock);
        for (int step = 1; step <= 200; step++)
        {
            clock.Milliseconds += 150;
            progress.Report(new TrainingStep((step - 1) / 100, 2, step, 200, 2, step < 100 ? 10 : 1, 1, 2, step % 100 == 0 ? new(1, 1, 0.1f, 0.25, 0.5, 0.25) : null, 0));
            if (step == 50)
            {
                Assert.Equal(2, screen.Lines.Length);
                Assert.True(screen.Lines[1].Length < width, screen.Lines[1]);
                Assert.Contains(" 25 %  0:22 left", screen.Lines[1], StringComparison.Ordinal);
                if (width == 100)
                    Assert.Equal($"epoch 1/2  loss 10.0000  accuracy 50.00 %  13 images/s  {new string('━', 6)}{new string('─', 19)}   25 %  0:22 left", screen.Lines[1]);
            }
        }
        screen.Console.Profile.Out.Writer.WriteLine("what follows");                     // begins a line of its own
        string[] lines = screen.Lines;
        Assert.Equal(["training", "epoch 1: validation loss 0.2500, accuracy 50.00 %; the best so far"], lines[..2]);
        Assert.StartsWith("epoch 2: validation loss 0.2500", lines[2], StringComparison.Ordinal);
        Assert.Contains("100 %  0:00 left", lines[3], StringComparison.Ordinal);
        Assert.Equal(["what follows"], lines[4..]);

        // Other work has a bar too, drawn to the end.
        screen = new(isTerminal: true, width);
        progress = new("reading", screen.Console, clock);
        for (int done = 1; done <= 3; done++)
            progress.Report((done, 3));
        Assert.Equal(2, screen.Lines.Length);
        Assert.EndsWith("100 %  0:00 left", screen.Lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Hours_are_minutes() => Assert.Equal(
        ["0:00", "0:59", "1:00", "59:59", "60:00", "75:04", "1500:01"],
        ((int[])[0, 59, 60, 3599, 3600, 4504, 90001]).Select(seconds => ConsoleProgress.Text(TimeSpan.FromSeconds(seconds))));

    /// <summary>A console for tests, and the visible text after all writes.</summary>
    sealed class Screen : IAnsiConsoleOutput
    {

        public Screen(bool isTerminal, int width = 100)
        {
            (IsTerminal, Width) = (isTerminal, width);
            Console = AnsiConsole.Create(new() { Ansi = isTerminal ? AnsiSupport.Yes : AnsiSupport.No, Out = this, ColorSystem = ColorSystemSupport.Standard });
            Console.Profile.Capabilities.Unicode = true;
        }

        public IAnsiConsole Console { get; }

        public TextWriter Writer { get; } = new StringWriter { NewLine = "\n" };

        public bool IsTerminal { get; }

        public int Width { get; }

        public int Height => 50;

        public void SetEncoding(Encoding encoding)
        {
        }

        public string Written => Writer.ToString()!;

        /// <summary>The lines that a terminal shows. Supports moving up, clearing a line, and colors.</summary>
        public string[] Lines
        {
            get
            {
                List<StringBuilder> rows = [new()];
                (int row, int column) = (0, 0);
                foreach (Match match in Regex.Matches(Written, "\e\\[(?<up>\\d*)A|\e\\[[\\d;]*m|\r|\n|[^\e]", RegexOptions.Singleline))
                {
                    if (match.Value[0] == '\e' && match.Value[^1] == 'A')
                        row -= int.Parse($"0{match.Groups["up"].Value}", System.Globalization.CultureInfo.InvariantCulture) is > 0 and int up ? up : 1;
                    else if (match.Value is "\r")
                        column = 0;
                    else if (match.Value is "\n")
                    {
                        (row, column) = (row + 1, 0);
                        if (row == rows.Count)
                            rows.Add(new());
                    }
                    else if (match.Value[0] != '\e')
                    {
                        if (column == rows[row].Length)
                            rows[row].Append(' ');
                        rows[row][column++] = match.Value[0];
                    }
                }
                return [.. rows.Select(line => line.ToString().TrimEnd()).SkipLast(1)];
            }
        }
    }
}
