using Microsoft.Playwright;
using MiniCnn.Reports;

namespace MiniCnn.BrowserTests;

/// <summary>A page that is open while the training goes on.</summary>
[Collection(nameof(Browser))]
public sealed class FollowingTests(Browser browser)
{
    [Fact]
    public async Task It_reads_itself_again_as_long_as_the_run_goes_on()
    {
        string path = browser.Runs.PathOf("followed");
        (Trainer trainer, LabeledImages train) = Runs.Digits(epochs: 3);
        RunReport report = new(path, trainer, train) { Skipped = [new("notes.txt", "no picture")] };
        using SemaphoreSlim written = new(0), goOn = new(0);
        Task<TrainingResult> run = Task.Run(() => trainer.Run(train, new Followed(report, step =>
        {
            if (step.Step != 1 && step.Ended is null)
                return;
            written.Release();
            goOn.Wait();
        })));

        await await Task.WhenAny(written.WaitAsync(), run);      // a run that cannot begin says why
        await using Visit visit = await browser.Open(path, new() { ViewportSize = new() { Width = 800, Height = 500 } }, timeStands: false);
        await Assertions.Expect(visit.State).ToContainTextAsync("Epoch 1 of 3, step 1 of 15");
        ILocator skipped = visit.Page.Locator("#data details"), epochs = visit.Page.Locator("#epochs details"), last = visit.Page.Locator("#run h2");
        await Assertions.Expect(epochs).ToHaveCountAsync(0);
        await skipped.Locator("summary").ClickAsync();
        await Assertions.Expect(skipped).ToHaveAttributeAsync("open", "");

        goOn.Release();
        await Assertions.Expect(visit.State).ToContainTextAsync("Epoch 1 of 3, step 5 of 15");
        await Assertions.Expect(epochs.Locator("tbody tr")).ToHaveCountAsync(1);
        await Assertions.Expect(skipped).ToHaveAttributeAsync("open", "");
        await Assertions.Expect(epochs).ToHaveAttributeAsync("open", "");    // as it comes
        await epochs.Locator("summary").ClickAsync();
        await Assertions.Expect(epochs).Not.ToHaveAttributeAsync("open", "");
        // The page may read itself again in this moment, and then stands where it stood.
        for (int tries = 5; tries > 0 && await last.EvaluateAsync<double>("e => e.getBoundingClientRect().top - innerHeight") > 0; tries--)
        {
            await last.ScrollIntoViewIfNeededAsync();
            await visit.Page.WaitForTimeoutAsync(200);
        }
        await Assertions.Expect(last).ToBeInViewportAsync();

        goOn.Release();
        await Assertions.Expect(visit.State).ToContainTextAsync("Epoch 2 of 3, step 10 of 15");
        await Assertions.Expect(skipped).ToHaveAttributeAsync("open", "");
        await Assertions.Expect(epochs).Not.ToHaveAttributeAsync("open", "");
        await Assertions.Expect(last).ToBeInViewportAsync();

        goOn.Release(2);
        await run;
        await Assertions.Expect(visit.State).ToContainTextAsync("All 3 epochs done");
        Assert.Equal($"done · {Runs.Folder}", await visit.Page.TitleAsync());
        await Assertions.Expect(visit.Page.Locator("#set-0")).ToHaveCountAsync(1);
        await Assertions.Expect(skipped).ToHaveAttributeAsync("open", "");
        await Assertions.Expect(epochs).Not.ToHaveAttributeAsync("open", "");
        Assert.True(visit.Loads > 3);                            // nothing else loads it
        Assert.Empty(visit.Complaints);
    }

    [Theory]
    [InlineData("photos")]
    [InlineData("failed")]
    public async Task After_the_run_it_stays_as_it_is(string name)
    {
        await using Visit visit = await browser.Open(browser.Runs[name]);
        await visit.Page.Clock.RunForAsync("10:00");
        await visit.Page.WaitForTimeoutAsync(500);               // it would have begun by now
        Assert.Equal(1, visit.Loads);
    }

    [Fact]
    public async Task Before_it_is_read_again_within_20_seconds()
    {
        await using Visit visit = await browser.Open(browser.Runs["running"]);
        await visit.Page.RunAndWaitForRequestAsync(() => visit.Page.Clock.RunForAsync("00:20"), _ => true);
    }

    [Fact]
    public async Task A_page_that_is_not_written_any_more_says_so()
    {
        await using Visit visit = await browser.Open(browser.Runs["running"]);
        ILocator stale = visit.Page.Locator(".written");
        await Assertions.Expect(stale).Not.ToContainTextAsync("No update");
        await visit.Page.Clock.SetFixedTimeAsync(File.GetLastWriteTimeUtc(browser.Runs["running"]).AddMinutes(90));
        await visit.Page.ReloadAsync();
        await Assertions.Expect(stale).ToContainTextAsync("No update for 90 minutes: the run may have been killed.");
        await visit.FindsNone("spilled");
        await visit.FindsNone("faint");
    }

    [Fact]
    public async Task A_run_that_failed_says_why()
    {
        await using Visit visit = await browser.Open(browser.Runs["failed"]);
        await Assertions.Expect(visit.State).ToContainTextAsync("Ended in epoch 1 of 2, after step 1 of 10: NaN or infinity in ");
        Assert.Equal($"failed · {Runs.Folder}", await visit.Page.TitleAsync());
    }

    [Fact]
    public async Task Without_scripts_it_is_readable_and_reads_itself_again()
    {
        string path = browser.Runs.PathOf("without-scripts");
        File.Copy(browser.Runs["running"], path);
        await using Visit visit = await browser.Open(path, new() { JavaScriptEnabled = false }, timeStands: false);
        await Assertions.Expect(visit.State).ToContainTextAsync("Epoch 1 of 3");
        await Assertions.Expect(visit.Page.Locator(".chart path[data-x]").First).ToBeVisibleAsync();
        await Assertions.Expect(visit.Page.GetByRole(AriaRole.Cell, new() { Name = " %" }).First).ToBeVisibleAsync();
        await Assertions.Expect(visit.Page.Locator("meta[http-equiv=refresh]")).ToHaveCountAsync(1);

        File.Copy(browser.Runs["photos"], path, overwrite: true);
        await Assertions.Expect(visit.State).ToContainTextAsync("All 3 epochs done");
        await Assertions.Expect(visit.Page.Locator("meta[http-equiv=refresh]")).ToHaveCountAsync(0);
        await Assertions.Expect(visit.Page.Locator("#set-0 h2")).ToBeVisibleAsync();
        await visit.Page.Locator("#data summary").ClickAsync();
        await Assertions.Expect(visit.Page.GetByText("5 broken.png")).ToBeVisibleAsync();
    }
}
