// Each test runs the real gateway with backends beside it; one at a time, they do not starve each other on small machines.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
