using System.Diagnostics;

namespace MiniCnn.Benchmarks;

/// <summary>Measures figures: MiniCnn and the peer alternately, each while the other sleeps.</summary>
sealed class Comparison(IReadOnlyList<Group> groups, Peer? peer, Effort effort, CancellationToken cancel)
{
    public PeakFlops Peak { get; } = new();

    public Bystanders Bystanders { get; } = new(peer);

    public IReadOnlyList<Figure> Figures { get; } = [.. groups.SelectMany(group => group.Figures)];

    /// <summary>Runs the whole measurement. Calls done(name) after each group.</summary>
    public void Run(Action<string> done)
    {
        foreach (Group group in groups)
        {
            Peak.Sample();
            if (group.Make is null)
                RunFirstSteps(group);
            else
                Bystanders.Watch(() => Run(group, group.Make));
            done(group.Name);
        }
    }

    void Run(Group group, Func<Figure, Work> make)
    {
        Work[] works = [.. group.Figures.Select(make)];
        Measure.WarmUp(works, effort);
        Measure.Rest();
        AskPeer(group, (_, _) => { });                                 // warm-up: first calls are slower
        for (int round = 0; round < effort.Rounds; round++)
        {
            foreach ((Figure figure, Work work) in group.Figures.Zip(works))
                Add(figure.Mini, Measure.Time(work, effort));
            Measure.Rest();
            AskPeer(group, Add);
        }
        works = [];
        Measure.FreeMemory();
    }

    void AskPeer(Group group, Action<Rounds, Times> add)
    {
        if (peer is null)
            return;
        foreach (Figure figure in group.Figures)
            foreach (Layout layout in figure.Layouts)
                add(figure.Peer(layout), peer.Time(figure, layout, effort));
        peer.Rest();
    }

    void RunFirstSteps(Group group)
    {
        for (int round = 0; round < effort.Rounds; round++)
        {
            foreach (IGrouping<string, Figure> net in group.Figures.GroupBy(figure => figure.Name))
            {
                One(net, figure => figure.Mini, ThisProgram.With("start", $"{Workers.Count}", "MiniCnn", net.Key));
                if (peer is not null)
                    One(net, figure => figure.Peer(Layout.Nchw), Peer.FirstStep(net.Key));
            }
        }

        void One(IEnumerable<Figure> figures, Func<Figure, Rounds> side, ProcessStartInfo start)
        {
            (Times times, double memory) = FirstStep.Measure(start);
            foreach (Figure figure in figures)
                Add(side(figure), figure.Pass == FirstStep.Time ? times : new(memory, double.NaN));
        }
    }

    void Add(Rounds rounds, Times times)
    {
        cancel.ThrowIfCancellationRequested();
        rounds.Add(times);
    }
}
